"""British dates, where Django's own for English are American. The other languages' are Django's."""

DATE_FORMAT = "j M Y"
DATETIME_FORMAT = "j M Y, H:i"
MONTH_DAY_FORMAT = "j F"
TIME_FORMAT = "H:i"
THOUSAND_SEPARATOR = ","

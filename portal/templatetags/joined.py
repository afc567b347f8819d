"""The stylesheets and scripts of every page."""

from django import template
from django.contrib.staticfiles.storage import staticfiles_storage
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from portal.statics import JOINED

register = template.Library()

LINKS = {
    "css": '<link rel="stylesheet" href="{}">',
    "js": '<script src="{}" defer></script>',
}


@register.simple_tag
def joined(name: str) -> SafeString:
    """Links to everything of `name`, a key of `portal.statics.JOINED`: one where it was collected, else several."""
    files = [name] if getattr(staticfiles_storage, "joins", False) else JOINED[name]
    return format_html_join("\n", LINKS[name.rpartition(".")[2]], ((staticfiles_storage.url(file),) for file in files))

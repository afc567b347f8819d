"""What the pages of the record show: sentences, differences, filters in words, files."""

from django.apps import AppConfig


class RevocationConfig(AppConfig):
    name = "revocation"

    def ready(self) -> None:
        from audit.showing import deeds as record
        from revocation.showing import deeds, words

        record.register(deeds.DONE, words.kind_words)

"""Drives the Graph API with pywa, as a program of somebody else would."""
import json
import sys

import httpx
from pywa import WhatsApp, errors
from pywa.types.templates import TemplateLanguage

given = json.load(sys.stdin)
session = httpx.Client()
wa = WhatsApp(phone_id=given["number"], token=given["token"], waba_id=given["account"], session=session, server=None,
              validate_updates=False)
session.base_url = given["url"] + "/v25.0"
done = {}
asked = given["asked"]


def failure(send):
    try:
        send()
    except errors.WhatsAppError as error:
        return [type(error).__name__, error.code]
    return None


done["text"] = wa.send_message(given["phone"], "Yes, every day.", reply_to_message_id=asked, tracker="row-1").id
done["to_user"] = wa.send_message(given["user"], "To a user id").id
done["image"] = wa.send_image(given["phone"], b"a picture", caption="Like this?", mime_type="image/png").id
done["document"] = wa.send_document(given["phone"], b"a list", filename="list.pdf", mime_type="application/pdf").id
done["location"] = wa.send_location(given["phone"], 52.52, 13.405, name="The bakery", address="1 Mill Lane").id
done["reaction"] = wa.send_reaction(given["phone"], "👍", message_id=asked).id
wa.mark_message_as_read(asked)
wa.indicate_typing(asked)
body = {"type": "body", "parameters": [{"type": "text", "text": "Anna"}]}
done["template"] = wa.send_template(given["phone"], "ready", TemplateLanguage.ENGLISH, [body]).id
done["too_long"] = failure(lambda: wa.send_message(given["phone"], "x" * 4097))
done["wrong_template"] = failure(lambda: wa.send_template(given["phone"], "gone", TemplateLanguage.ENGLISH))
done["wrong_file"] = failure(lambda: wa.send_image(given["phone"], b"x", mime_type="image/gif"))
number = wa.api.get_business_phone_number(given["number"], fields=("verified_name",))
done["number"] = number["verified_name"]
file = wa.get_media_url(given["file"])
done["file"] = [file.mime_type, file.file_size, wa.get_media_bytes(file.url).decode()]
json.dump(done, sys.stdout)

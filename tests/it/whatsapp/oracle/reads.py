"""Reads webhooks with pywa: is each signed as it should be, and what does it say?"""
import json
import sys

from pywa import WhatsApp, utils

given = json.load(sys.stdin)
wa = WhatsApp(phone_id=given["number"], token="no token", server=None, verify_token="v", app_secret=given["secret"],
              filter_updates=False, skip_duplicate_updates=False)
seen = []


def note(_, update):
    status = getattr(update, "status", None)
    key = getattr(update, "tracker", None)
    user = getattr(update, "from_user", None)
    seen.append({
        "kind": type(update).__name__,
        "id": getattr(update, "id", None),
        "type": str(getattr(update, "type", "")),
        "status": str(status) if status else None,
        "key": key,
        "words": str(getattr(update, "text", None) or getattr(update, "caption", None)
                     or getattr(update, "title", None) or ""),
        "phone": getattr(user, "wa_id", None),
        "user": getattr(user, "bsuid", None),
        "error": getattr(getattr(update, "error", None), "code", None),
    })


for on in (wa.on_message, wa.on_callback_button, wa.on_callback_selection, wa.on_message_status,
           wa.on_phone_number_change, wa.on_edited_message, wa.on_deleted_message, wa.on_outgoing_message,
           wa.on_outgoing_deleted_message, wa.on_flow_completion):
    on()(note)

answers = []
for webhook in given["webhooks"]:
    body = webhook["body"].encode()
    right = wa.webhook_update_validator(body, webhook["signature"])
    wrong = wa.webhook_update_validator(body + b" ", webhook["signature"])
    seen.clear()
    wa.webhook_update_handler(body)
    answers.append({"right": right, "wrong": wrong, "seen": list(seen)})
json.dump(answers, sys.stdout)

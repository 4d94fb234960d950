"""Renders a case as transformers' apply_chat_template does, at a fixed time."""

from datetime import datetime

from transformers.utils import chat_template_utils


class FixedTime(datetime):
    """A clock that stands still: what `strftime_now` reads."""

    moment = datetime(2024, 7, 26, 13, 5, 9)

    @classmethod
    def now(cls, tz=None):
        return cls.moment


chat_template_utils.datetime = FixedTime


def render(case, marks=False):
    """The text of {"template", "chat"}, and the ranges of characters within `generation` tags."""
    chat = case["chat"]
    FixedTime.moment = datetime(*chat["time"]) if chat.get("time") else datetime(2024, 7, 26, 13, 5, 9)
    if not chat["messages"]:
        raise ValueError("an empty conversation")
    messages = [{k: v for k, v in m.items() if v is not None} for m in chat["messages"]]
    texts, ranges = chat_template_utils.render_jinja_template(
        [messages],
        tools=chat.get("tools"),
        documents=chat.get("documents"),
        chat_template=case["template"],
        return_assistant_tokens_mask=marks,
        add_generation_prompt=chat.get("add_generation_prompt", False),
        **chat.get("extra", {}),
    )
    return texts[0], (ranges[0] if ranges else [])

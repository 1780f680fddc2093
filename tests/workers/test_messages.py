"""Every message survives its way through a pickle, and the table knows them all."""

import dataclasses
import pickle
from typing import get_args

from lbd.workers import messages


def test_the_table_is_complete():
    classes = {value for value in vars(messages).values()
               if isinstance(value, type) and value.__module__ == messages.__name__}
    assert classes == set(get_args(messages.Message))


def test_messages_are_frozen_and_survive_a_pickle():
    for kind in get_args(messages.Message):
        fields = dataclasses.fields(kind)
        message = kind(*("text" for _ in fields))
        assert pickle.loads(pickle.dumps(message)) == message
        assert kind.__dataclass_params__.frozen

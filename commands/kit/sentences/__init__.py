"""Every sentence of the command line: (English, Japanese) by key."""

from commands.kit.doctor.sentences import DOCTOR_SENTENCES
from commands.kit.logs.sentences import LOG_SENTENCES
from commands.kit.sentences.door import DOOR_SENTENCES
from commands.kit.sentences.others import OTHER_SENTENCES
from commands.kit.sentences.run import RUN_SENTENCES

SENTENCES: dict[str, tuple[str, str]] = {
    **DOOR_SENTENCES,
    **RUN_SENTENCES,
    **OTHER_SENTENCES,
    **DOCTOR_SENTENCES,
    **LOG_SENTENCES,
}

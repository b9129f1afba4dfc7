"""What you hear: a player that compares sounds at their exact levels, a recorder, blind tests, a
conversation.

Nothing here normalises. A sound that is too loud is refused, and the message names the gain that
would make it fit.
"""

from helpers.listening.blind import blind_test
from helpers.listening.players import Player, player
from helpers.listening.recorder import recorder
from helpers.listening.talkback import talkback

__all__ = ["Player", "blind_test", "player", "recorder", "talkback"]

"""What you hear: a player that compares sounds at their exact levels, a recorder, taps, blind
tests, a conversation.

Nothing here normalises. A sound that is too loud is refused, and the message names the gain that
would make it fit. ValueError refuses too what is no audio, too few, too many or too long sounds,
names that are empty or used twice, silence that is to be matched in level or told apart, lengths
that differ within a blind test, rates that no browser plays, settings out of their range, a file
name that is none, and a simulated listener where answers have been given.
"""

from helpers.listening.blind import blind_test
from helpers.listening.conversation import conversation
from helpers.listening.players import Player, player
from helpers.listening.recorder import recorder
from helpers.listening.talkback import talkback
from helpers.listening.tapper import tapper

__all__ = ["Player", "blind_test", "conversation", "player", "recorder", "talkback", "tapper"]

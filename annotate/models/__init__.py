"""The evidence: people, studies, batches of paired outputs, tasks and judgements."""

from annotate.models.batch import Batch, Item, Upload, UploadChunk
from annotate.models.judgement import Flag, Judgement, Rating
from annotate.models.people import Invitation, Role, User
from annotate.models.pulse import Pulse
from annotate.models.received import JudgementChunk, JudgementFile, JudgementImport
from annotate.models.study import Assignment, Comments, Criterion, Scale, State, Study
from annotate.models.task import Task

__all__ = [
    "Assignment",
    "Batch",
    "Comments",
    "Criterion",
    "Flag",
    "Invitation",
    "Item",
    "Judgement",
    "JudgementChunk",
    "JudgementFile",
    "JudgementImport",
    "Pulse",
    "Rating",
    "Role",
    "Scale",
    "State",
    "Study",
    "Task",
    "Upload",
    "UploadChunk",
    "User",
]

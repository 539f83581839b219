"""Who uses the product: people with one role each, and invitations to become one."""

import uuid
from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.core.validators import validate_email
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now


class Role(models.TextChoices):
    ANNOTATOR = "annotator", "Annotator"
    LEAD = "lead", "Lead"
    ADMIN = "admin", "Admin"


class UserManager(BaseUserManager["User"]):
    def create_user(
        self, email: str, password: str | None = None, *, role: str = Role.ANNOTATOR, name: str = ""
    ) -> "User":
        validate_email(email)
        user = self.model(email=email.strip().lower(), role=role, name=name)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, name: str = "") -> "User":
        return self.create_user(email, password, role=Role.ADMIN, name=name)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


class User(AbstractBaseUser):
    """A person who signs in by e-mail. Nobody is deleted: they are deactivated."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=100, blank=True)
    role = models.CharField(max_length=10, choices=Role, default=Role.ANNOTATOR)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(db_default=Now(), editable=False)
    # Set for somebody who judged elsewhere and has no account: the study that they are known
    # in, by the name that its files give them.
    outside_of = models.ForeignKey(
        "annotate.Study", null=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [
            # Kept in lower case, so that one address is one person.
            models.CheckConstraint(condition=Q(email=Lower("email")), name="user_email_lower"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="user_role_known"),
            models.UniqueConstraint(
                fields=["outside_of", "name"],
                condition=Q(outside_of__isnull=False),
                name="user_outside_once_a_study",
            ),
            # Nobody can sign in as them: not active, no password, no way to be given one.
            models.CheckConstraint(
                condition=Q(outside_of=None)
                | Q(is_active=False, role="annotator", password__startswith="!"),  # noqa: S106
                name="user_outside_has_no_account",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        return str(self)

    @property
    def label(self) -> str:
        """What tells this person from all others: the address, or the name in a file."""
        return self.email if self.outside_of_id is None else self.name

    @property
    def is_admin(self) -> bool:
        return self.role == Role.ADMIN

    @property
    def is_lead(self) -> bool:
        """May do what a lead may: roles are nested."""
        return self.role in (Role.LEAD, Role.ADMIN)

    # The emergency site of Django asks for these; all follow from the role.
    @property
    def is_staff(self) -> bool:
        return self.is_admin and self.is_active

    def has_perm(self, perm: str, obj: object = None) -> bool:
        return self.is_staff

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_staff


class Invitation(models.Model):
    """A link that lets one person make one account. Only its hash is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    token_hash = models.CharField(max_length=64, unique=True)
    email = models.EmailField(max_length=254)
    role = models.CharField(max_length=10, choices=Role)
    study = models.ForeignKey(
        "annotate.Study", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    invited_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(role__in=Role.values), name="invitation_role_known")
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.email}"

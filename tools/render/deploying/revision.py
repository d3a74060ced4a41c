"""What is deployed: a commit whose whole id is known before anybody is asked, or an image."""

from __future__ import annotations

import re
from typing import Final

from pydantic import BaseModel, ConfigDict

from tools.errors import InvalidInput, NotFound
from tools.render.deploying.repository import Repository
from tools.render.models import Service

_COMMIT: Final = re.compile(r"[0-9a-f]{7,40}")


class Revision(BaseModel):
    """A commit, or an image, or neither: then Render takes the newest commit that it finds.

    `how` says how it became known; `expected` marks a commit that Render is not told, only compared with.
    """

    model_config = ConfigDict(frozen=True)

    commit: str = ""
    image: str = ""
    subject: str = ""
    how: str = ""
    expected: bool = False

    @property
    def words(self) -> str:
        """In a few words, for a person."""
        if self.image:
            moved = "" if "@sha256:" in self.image else " (a tag: what it names now may differ from before)"
            return f"image {self.image}{moved}"
        if self.commit:
            said = f' "{self.subject}"' if self.subject else ""
            return f"commit {self.commit}{said}"
        return f"the newest commit that Render finds ({self.how})"

    def is_of(self, commit: str, image: str) -> bool:
        """Whether a deploy with this commit or image is one of this revision; unknown ones may be."""
        if self.commit and commit:
            return commit.startswith(self.commit) or self.commit.startswith(commit)
        return not (self.image and image) or _plain(self.image) == _plain(image)


def _plain(image: str) -> str:
    """A reference without what Render adds to that of Docker's own registry."""
    return image.removeprefix("docker.io/").removeprefix("library/")


async def resolve(
    service: Service, repository: Repository | None, *, commit: str | None, image: str | None
) -> Revision:
    """What was asked for, or the newest commit of the service's branch. Raises InvalidInput, NotFound."""
    if commit and image:
        raise InvalidInput("A deploy has a commit or an image, not both.")
    if service.image_path:
        if commit:
            raise InvalidInput(f"{service.name} runs an image; give `image`, not `commit`.")
        return Revision(image=image or service.image_path, how="named" if image else "the service's own")
    if image:
        raise InvalidInput(f"{service.name} is built from a repository; give `commit`, not `image`.")
    if commit:
        return await _named(service, repository, commit)
    if repository is None:
        return Revision(
            how=f"branch {service.branch or 'unknown'}; no checkout of it here to name the commit"
        )
    newest, how = await repository.newest(service.branch or "main")
    if not newest:
        return Revision(how=f"branch {service.branch}, which could not be read here")
    subject = await repository.subject(newest)
    return Revision(commit=newest, subject=subject, how=how, expected=service.type == "cron_job")


async def _named(service: Service, repository: Repository | None, commit: str) -> Revision:
    if service.type == "cron_job":
        raise InvalidInput("Render deploys a cron job from the newest commit only; leave `commit` out.")
    if not _COMMIT.fullmatch(commit):
        raise InvalidInput("`commit` is an id of 7 to 40 hexadecimal digits, not a branch or a tag.")
    if repository is None:
        return Revision(commit=commit, how="named; not looked up, as there is no checkout of it here")
    whole = await repository.full(commit)
    if not whole and len(commit) < 40:
        raise NotFound(f"Commit {commit} is not in this checkout.", hint="Fetch, or give all 40 digits.")
    subject = await repository.subject(whole) if whole else ""
    how = "named, and found in this checkout" if whole else "named; not in this checkout"
    return Revision(commit=whole or commit, subject=subject, how=how)

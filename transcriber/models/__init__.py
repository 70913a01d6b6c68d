"""Any model by name: find it, verify it, import it from a folder, pull it from the hub.

A name is looked up in the workspace's models/, then among the shipped ones, then in the local Hugging Face cache.
Only `pull` touches the network. A model that is half there is never used.
"""

from transcriber.models.find import Listed, Model, find, list_models, locate, verify
from transcriber.models.install import import_folder
from transcriber.models.known import DEFAULT, lookup
from transcriber.models.pull import pull

__all__ = ["DEFAULT", "Listed", "Model", "find", "import_folder", "list_models", "locate", "lookup", "pull", "verify"]

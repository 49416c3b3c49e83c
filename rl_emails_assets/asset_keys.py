"""Every asset key, in flow order. An upstream is named by its constant here and in no other way: a mistyped key would
silently become a new external asset."""

AssetKeyPath = tuple[str, str]

MAILBOXES_CONNECTIONS: AssetKeyPath = ("mailboxes", "connections")
MAILBOXES_WATCHES: AssetKeyPath = ("mailboxes", "watches")
RAW_MESSAGES: AssetKeyPath = ("raw", "messages")
RAW_LABELS: AssetKeyPath = ("raw", "labels")
RAW_GAPS: AssetKeyPath = ("raw", "gaps")
MAIL_MESSAGES: AssetKeyPath = ("mail", "messages")
MAIL_THREADS: AssetKeyPath = ("mail", "threads")
MAIL_CONTACTS: AssetKeyPath = ("mail", "contacts")
SIGNALS_MESSAGES: AssetKeyPath = ("signals", "messages")
SIGNALS_CONTACTS: AssetKeyPath = ("signals", "contacts")
EMBEDDINGS_MESSAGES: AssetKeyPath = ("embeddings", "messages")
CLASSIFICATIONS_OPINIONS: AssetKeyPath = ("classifications", "opinions")
CLASSIFICATIONS_MESSAGES: AssetKeyPath = ("classifications", "messages")
ENTITIES_TASKS: AssetKeyPath = ("entities", "tasks")
ENTITIES_PROJECTS: AssetKeyPath = ("entities", "projects")
ENTITIES_PEOPLE: AssetKeyPath = ("entities", "people")
PRIORITIES_MESSAGES: AssetKeyPath = ("priorities", "messages")
PRIORITIES_THREADS: AssetKeyPath = ("priorities", "threads")
MODELS_BEHAVIOUR: AssetKeyPath = ("models", "behaviour")
MODELS_RANKER: AssetKeyPath = ("models", "ranker")
MODELS_CLASSIFIER: AssetKeyPath = ("models", "classifier")
MODELS_SERVING: AssetKeyPath = ("models", "serving")

// Every key of the page, once: the help, the palette, the handler and docs/how-to/use-the-page.md are made from this list.
// The list is JSON, so that a test can read it without running it.

export const KEYMAP = [
  { "id": "next", "keys": ["j", "↓"], "group": "Move", "text": "Next message" },
  { "id": "previous", "keys": ["k", "↑"], "group": "Move", "text": "Previous message" },
  { "id": "next-section", "keys": ["]"], "group": "Move", "text": "Next section" },
  { "id": "previous-section", "keys": ["["], "group": "Move", "text": "Previous section" },
  { "id": "open", "keys": ["o", "Enter"], "group": "Move", "text": "Open the message" },
  { "id": "back", "keys": ["u", "Esc"], "group": "Move", "text": "Back to the list" },
  { "id": "done", "keys": ["e"], "group": "Act", "text": "Done, or open again" },
  { "id": "snooze", "keys": ["h"], "group": "Act", "text": "Snooze until later" },
  { "id": "star", "keys": ["s"], "group": "Act", "text": "Star, or take the star away" },
  { "id": "read", "keys": ["U"], "group": "Act", "text": "Mark read or unread" },
  { "id": "reply", "keys": ["r"], "group": "Act", "text": "Reply in your mail program" },
  { "id": "reply-all", "keys": ["a"], "group": "Act", "text": "Reply to all in your mail program" },
  { "id": "select", "keys": ["x"], "group": "Act", "text": "Select; the keys above then act on all that is selected" },
  { "id": "undo", "keys": ["z"], "group": "Act", "text": "Undo the last action" },
  { "id": "why", "keys": ["w"], "group": "Judge", "text": "Why it stands here" },
  { "id": "correct", "keys": ["!"], "group": "Judge", "text": "The importance is wrong: say the opposite" },
  { "id": "important", "keys": ["i"], "group": "Judge", "text": "It is important" },
  { "id": "unimportant", "keys": ["n"], "group": "Judge", "text": "It is not important" },
  { "id": "category", "keys": ["c"], "group": "Judge", "text": "Correct the category" },
  { "id": "search", "keys": ["/"], "group": "Go", "text": "Search" },
  { "id": "palette", "keys": ["Ctrl+K", "⌘K"], "group": "Go", "text": "Commands, mailboxes, people and projects" },
  { "id": "go-inbox", "keys": ["g i"], "group": "Go", "text": "Inbox" },
  { "id": "go-tasks", "keys": ["g t"], "group": "Go", "text": "Tasks" },
  { "id": "go-waiting", "keys": ["g w"], "group": "Go", "text": "Waiting for" },
  { "id": "go-projects", "keys": ["g j"], "group": "Go", "text": "Projects" },
  { "id": "go-people", "keys": ["g p"], "group": "Go", "text": "People" },
  { "id": "go-status", "keys": ["g s"], "group": "Go", "text": "Status of the mailbox" },
  { "id": "go-settings", "keys": ["g ,"], "group": "Go", "text": "Settings" },
  { "id": "go-done", "keys": ["g d"], "group": "Go", "text": "What is done" },
  { "id": "go-snoozed", "keys": ["g h"], "group": "Go", "text": "What is snoozed" },
  { "id": "theme", "keys": ["D"], "group": "Page", "text": "Light or dark" },
  { "id": "help", "keys": ["?"], "group": "Page", "text": "These keys" }
];

export const keysOf = (id) => KEYMAP.find((each) => each.id === id)?.keys || [];

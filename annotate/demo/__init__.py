"""The demonstration study that every newcomer sees: its texts and its make-believe past."""

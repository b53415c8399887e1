"""The use cases of the tracker, as functions of a Store: no HTTP and no SQL here."""

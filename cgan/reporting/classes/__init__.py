"""The tables and figures of a report that show its classes, few or a thousand."""

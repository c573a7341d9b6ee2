"""What people look at: tables and pictures of a fitted mixture."""

__all__ = []

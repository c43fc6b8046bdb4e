"""Pages of several reports: the leaderboard, and two reports side by side."""

"""Reports: reads results.json and history.csv, writes tables, figures and a page; no torch."""

from cgan.report.entries import find_entries as find_entries
from cgan.report.leaderboard import leaderboard_text as leaderboard_text
from cgan.report.leaderboard import write_leaderboard as write_leaderboard
from cgan.report.page import write_report as write_report
from cgan.report.page import write_training as write_training
from cgan.report.read import find_report as find_report
from cgan.report.read import read_results as read_results
from cgan.report.tables import summary as summary
from cgan.report.verdict import find_verdict as find_verdict

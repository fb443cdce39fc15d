"""The last step of an auditor's way: what entries say, in the words of other standards. Pure; nothing is fetched."""

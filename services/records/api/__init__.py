"""The routes that orders and unpaid work share: intake, receipts, lists and management."""

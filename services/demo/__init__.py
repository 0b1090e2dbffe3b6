"""`mailtide demo`: two throwaway accounts, one migration, one verdict."""

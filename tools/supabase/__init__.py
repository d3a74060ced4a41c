"""Supabase's Management API: projects, Edge Functions, secrets, logs and configuration."""

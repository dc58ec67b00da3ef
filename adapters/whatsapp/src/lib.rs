//! frontdesk's adapter for the WhatsApp Cloud API.

//! The owner's tools, beside the program while it runs and without it.

mod backup;
mod contacts;
mod outbox;
mod retention;
mod shell;
mod whole;

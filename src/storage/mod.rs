//! Image files in and out, with the request inside; atomic writing.

"""Does the image still hold the signal? Digitise it again, hold the labels against its ink, score both."""

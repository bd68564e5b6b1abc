"""Reading any WFDB record as ECG leads in millivolts, with nothing in it that could name a person."""

"""Lead names, units, and which channels are an ECG."""

from __future__ import annotations

import pytest

from ecgvec.record.leads import LIMB, STANDARD_12, millivolts_per_unit, reason_not_ecg, standard_name

SPELLINGS = {
    "I": [
        "I",
        "i",
        " I ",
        "MLI",
        "DI",
        "D1",
        "Lead I",
        "ECG_I",
        "ekg i",
        "lead-I",
        "ECG Lead I",
        "ecg.lead.i",
        "\u2160",
    ],
    "II": ["II", "ii", "MLII", "mlii", "ML2", "ML II", "D-II", "DII", "D2", "ECG II", "ECG:II", "\uff29\uff29"],
    "III": ["III", "iii", "MLIII", "DIII", "D3", "Lead_III", "LEAD III", "\u2162"],
    "aVR": ["aVR", "AVR", "avr", "a.V.R.", "aV-R", "lead aVR", "ECG-aVR", "a V R"],
    "aVL": ["aVL", "AVL", "avl"],
    "aVF": ["aVF", "AVF", "avf", "ECG_aVF"],
    "V1": ["V1", "v1", "C1", "c1", "MCL1", "mcl-1", "lead_V1", "V 1", "V-1", "V_1", "V\u2081"],
    "V6": ["V6", "v6", "C6", "MCL6"],
    "V3R": ["V3R", "v3r", "Lead V3R"],
    "V6R": ["V6R"],
    "V7": ["V7", "v7"],
    "V9": ["V9"],
    "X": ["X", "vx", "VX", "x", "ECG X"],
    "Y": ["vy"],
    "Z": ["vz", "Vz"],
}


@pytest.mark.parametrize(("name", "spelling"), [(name, each) for name, all_ in SPELLINGS.items() for each in all_])
def test_every_usual_spelling_has_its_standard_name(name: str, spelling: str) -> None:
    assert standard_name(spelling) == name


@pytest.mark.parametrize("name", [*STANDARD_12, "V3R", "V4R", "V5R", "V6R", "V7", "V8", "V9", "X", "Y", "Z"])
def test_standard_names_stand_for_themselves(name: str) -> None:
    assert standard_name(name) == name
    assert reason_not_ecg(name, "mV") is None


NOT_CERTAIN = "|V|ECG|ECG 1|ECG_1|1|IV|IIII|I-II|V1-V2|-aVR|ECG -aVR|-II|V0|V10|C7|CM5|V7R|MCL7|L1|ABP|VR|lead|DIV|X1"


@pytest.mark.parametrize("spelling", [*NOT_CERTAIN.split("|"), "sig 0, fmt 8", "II (2)"])
def test_what_is_not_certain_is_not_named(spelling: str) -> None:
    assert standard_name(spelling) is None


def test_the_twelve_leads_begin_with_the_six_of_the_limbs() -> None:
    assert STANDARD_12[:6] == LIMB
    assert len(set(STANDARD_12)) == 12


UNITS = {"mV": 1, "mv": 1, "MV": 1, "": 1, "V": 1000, "v": 1000, "uV": 1e-3, "UV": 1e-3, "nV": 1e-6}
MICROVOLTS = {"\u00b5V": 1e-3, "\u03bcV": 1e-3}
NO_VOLTAGES = dict.fromkeys(["mmHg", "NU", "kV", "m", "mV/s", "Ohm"])


@pytest.mark.parametrize(("unit", "factor"), (UNITS | MICROVOLTS | NO_VOLTAGES).items())
def test_units(unit: str, factor: float | None) -> None:
    assert millivolts_per_unit(unit) == factor


@pytest.mark.parametrize(
    "name", ["II", "V", "aVR", "ECG 1", "ECG_art", "FECG", "MECG resp", "X", "Thorax_1", "sig 0", "A"]
)
def test_a_voltage_is_an_ecg(name: str) -> None:
    assert reason_not_ecg(name, "mV") is None
    assert reason_not_ecg(name, "") is None


PRESSURES = "ABP ABPMean ART ART1 BP NIBP CVP PAP ICP"
OTHERS = "PLETH Pleth PPG_red RESP Resp_A IMPEDANCE EEG,Fpz-Cz EMG1 chin_EMG EOG(L) CO2 EtCO2 SpO2 SAO2 Airflow Temp"


@pytest.mark.parametrize("name", [*PRESSURES.split(), *OTHERS.split(), "Resp A"])
def test_the_channels_beside_an_ecg_are_known_by_name(name: str) -> None:
    assert reason_not_ecg(name, "mV") == "its name is that of another kind of signal"


@pytest.mark.parametrize("unit", ["mmHg", "NU", "Ohm", "%", "adu"])
def test_what_is_no_voltage_is_no_ecg(unit: str) -> None:
    assert reason_not_ecg("II", unit) == f"its unit '{unit}' is not a voltage"

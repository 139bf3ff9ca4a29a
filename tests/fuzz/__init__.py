"""Bytes that attackers and accidents make, for every reader of foreign bytes.

python -m tests.fuzz --list
python -m tests.fuzz pix3d --minutes=10     searches, with atheris
python -m tests.fuzz pix3d FILE...          replays, without
"""

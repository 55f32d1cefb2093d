"""What pyproject.toml cannot say: the C front end, one build for every Python from 3.11 on."""

from setuptools import setup

setup(
    cffi_modules=["edge_asd/frontend/build_native.py:builder"],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)

"""How the project is packed: four packages, one Twisted plugin, two commands."""

from pathlib import Path
from re import search

from setuptools import find_namespace_packages, setup

# Not imported: the server needs what is installed only with it.
VERSION = search(r'__version__ = "(.+)"', Path("server/__init__.py").read_text())[1]

setup(
    name="console-chat",
    version=VERSION,
    description="A chat for many people in terminals: nothing lost, nothing twice, nobody waits for a slow one",
    license="MIT",
    license_files=["LICENSE"],
    author="The Console Chat authors",
    python_requires=">=3.11",
    # twisted/ and twisted/plugins/ have no __init__.py: with one, installing would overwrite Twisted's own.
    package_dir={"": "."},
    packages=find_namespace_packages(
        include=["cli", "cli.*", "server", "server.*", "storage", "storage.*", "wire", "wire.*", "twisted.plugins"]
    ),
    package_data={"cli": ["py.typed"], "wire": ["py.typed"]},
    # Why each is needed is told in requirements.in.
    install_requires=[
        "alembic>=1.16",
        "argon2-cffi>=25",
        "confusable-homoglyphs>=3.3",
        "cryptography>=44",
        "msgspec>=0.19",
        "platformdirs>=4",
        "prometheus-client>=0.21",
        "pymysql>=1.2.1",
        "pyopenssl>=25",
        "sqlalchemy>=2.1",
        "tomlkit>=0.13",
        "tqdm>=4.66",
        "twisted[tls]>=26",
        "urwid>=4",
        "wcwidth>=0.4",
    ],
    extras_require={"keyring": ["keyring>=25"]},  # where `chat` looks for passwords, if it is there
    entry_points={"console_scripts": ["chat = cli.main:main", "chat-server = server.main:main"]},
)

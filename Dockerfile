# The server, and the client for who wants to look from inside. Build: docker build -t console-chat .
ARG PYTHON=python:3.12-slim-bookworm

FROM ${PYTHON} AS build
WORKDIR /src
# What is locked, each checked by its hash; from ./wheels alone where that folder is there (make wheels).
COPY requirements.txt requirements-build.txt wheels* wheels/
RUN set -eu; \
    if ls wheels/*.whl >/dev/null 2>&1; then export PIP_NO_INDEX=1 PIP_FIND_LINKS=wheels; fi; \
    export PIP_REQUIRE_HASHES=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore; \
    python -m venv --without-pip /opt/chat; \
    pip --python /opt/chat install -r wheels/requirements.txt; \
    pip install -r wheels/requirements-build.txt
COPY . .
# Of Twisted stays what a server may need: no secure shell, no mail, no other chats.
RUN set -eu; \
    pip wheel --no-deps --no-build-isolation --no-index --wheel-dir /dist .; \
    pip --python /opt/chat install --no-deps --no-index --root-user-action=ignore /dist/*.whl; \
    find /opt/chat/lib -type d -name 'test*' -prune -exec rm -rf {} +; \
    cd /opt/chat/lib/python*/site-packages/twisted; \
    rm -rf conch mail words plugins/twisted_conch.py plugins/twisted_mail.py plugins/twisted_words.py; \
    /opt/chat/bin/twistd --help >/dev/null

FROM ${PYTHON}
COPY --from=build /opt/chat /opt/chat
# The base image comes without bytecode: what a check of the health loads of it is compiled by one here, which fails.
RUN useradd --system --uid 777 --home-dir /data --shell /usr/sbin/nologin chat && install -d -o chat -g chat /data && \
    ! /opt/chat/bin/chat-server health 2>/dev/null
ENV PATH=/opt/chat/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 CHAT_DB=sqlite:////data/chat.db
USER chat
WORKDIR /data
VOLUME /data
EXPOSE 7777
HEALTHCHECK --interval=30s --start-period=60s CMD ["chat-server", "health"]
ENTRYPOINT ["chat-server"]

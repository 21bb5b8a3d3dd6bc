# The app as an image. It listens on 10000, runs as a user without rights, and writes to /data and
# /tmp only, so that its root file system can be read-only.
#
#   docker build -t pfxdgrsbase .
#   docker run --rm -p 8000:10000 --env-file .env pfxdgrsbase
#
# The digest makes builds of today and tomorrow begin alike. Dependabot brings the next one, and with
# it what Debian and Python have mended.

FROM python:3.11-slim-bookworm@sha256:528257d48c1da0dcecc2e725d1ae34498d60c965f1241e39cd6a85a8859bdf84 AS packages
WORKDIR /app
ENV PYTHONDONTWRITEBYTECODE=1
# What decides over the packages comes first: they are installed anew only when it changes.
COPY requirements-pip.txt requirements.txt manage.py ./
COPY commands/__init__.py commands/install.py commands/
COPY commands/kit commands/kit
# The locked versions with the locked hashes, into /app/.venv.
RUN ["python", "manage.py", "install"]
COPY . .
# What installs packages has done its work. A setting that is there but empty has its default, a folder
# in /app: that leads to /data.
RUN python -m compileall -q app commands migrations \
    && .venv/bin/python -m pip uninstall --yes --quiet pip \
    && ln -s /data data \
    && ln -s /data logs

FROM python:3.11-slim-bookworm@sha256:528257d48c1da0dcecc2e725d1ae34498d60c965f1241e39cd6a85a8859bdf84
LABEL org.opencontainers.image.title="PFXDGRSbase" \
      org.opencontainers.image.description="A FastAPI and htmx app with a flight recorder built in" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT"
RUN useradd --system --uid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin app \
    && install --directory --owner=app --group=app /data
WORKDIR /app
COPY --from=packages /app /app
# Each of them can be set otherwise with --env or --env-file, the first three as ENVIRONMENT, HOST and
# PORT: those may be there and empty. Uploads lie in TMPDIR while they come in: /tmp may be memory.
ENV DEFAULT_ENVIRONMENT=production \
    DEFAULT_HOST=0.0.0.0 \
    DEFAULT_PORT=10000 \
    DATABASE_URL=sqlite:////data/app.db \
    FILES_DIR=/data/files \
    LOG_DIR=/data/logs \
    PICTURE_DIR=/data/pictures \
    TMPDIR=/data \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001
VOLUME /data
EXPOSE 10000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["/app/.venv/bin/python", "-m", "commands.kit.health"]
# SIGTERM gives open responses 10 seconds, jobs 5 and the trace log 10; Render waits for 30.
CMD ["/app/.venv/bin/python", "manage.py", "run"]

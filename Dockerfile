# One image for every role: `docker run charley ingest`, `charley api`, `charley simulate`.
FROM python:3.11.14-slim-bookworm AS build
WORKDIR /src
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY deploy/requirements.txt deploy/requirements-build.txt deploy/
RUN python -m venv /opt/build \
    && /opt/build/bin/pip install --require-hashes --no-deps --only-binary :all: -r deploy/requirements-build.txt \
    && python -m venv /opt/charley \
    && /opt/charley/bin/pip install --require-hashes --no-deps --only-binary :all: -r deploy/requirements.txt
COPY pyproject.toml README.md LICENSE charley.py ./
COPY api api
COPY detector detector
COPY ingest ingest
COPY simulators simulators
RUN /opt/build/bin/python -m hatchling build --target wheel --directory dist \
    && /opt/charley/bin/pip install --no-index --no-deps dist/*.whl \
    && /opt/charley/bin/pip check \
    && /opt/charley/bin/pip uninstall --yes pip setuptools

FROM python:3.11.14-slim-bookworm
RUN groupadd --gid 10001 charley \
    && useradd --uid 10001 --gid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin charley \
    && install --directory --owner charley --group charley --mode 700 /data
COPY --from=build /opt/charley /opt/charley
ENV PATH=/opt/charley/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 CHARLEY_DATA_DIR=/data
USER 10001:10001
WORKDIR /data
VOLUME /data
# docker-compose.yml asks each role whether it is well: the API at /readyz, the ingester at its metrics port.
ENTRYPOINT ["charley"]
CMD ["--help"]

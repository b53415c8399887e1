# The first stage builds the pages' script and installs Minleaf into a folder; the second holds that folder alone.
FROM python:3.12-slim AS build
WORKDIR /src
RUN python -m venv --without-pip /opt/minleaf
COPY . .
# Where there is no node, as here, the build takes one from PyPI for its own time.
RUN pip --python /opt/minleaf/bin/python install --no-cache-dir ".[server,postgres,s3]"

FROM python:3.12-slim
RUN groupadd --gid 10001 minleaf \
    && useradd --uid 10001 --gid minleaf --no-create-home --home-dir /data --shell /usr/sbin/nologin minleaf \
    && install -d -o minleaf -g minleaf -m 0700 /data
COPY --from=build /opt/minleaf /opt/minleaf
ENV PATH=/opt/minleaf/bin:$PATH PYTHONUNBUFFERED=1 MINLEAF_DATA=/data
USER minleaf
WORKDIR /data
VOLUME /data
EXPOSE 5000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=6 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:5000/health/ready', timeout=4)"]
ENTRYPOINT ["minleaf"]
# As it is, this stops with a message: who may reach a published port is for whoever runs the container to decide, by
# adding --insecure-no-auth. docker-compose.yml does, and publishes the port to the same machine alone.
CMD ["server", "--host", "0.0.0.0"]

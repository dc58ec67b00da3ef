# syntax=docker/dockerfile:1

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
# The mounts keep downloads and compiled dependencies from one build to the next; the program itself leaves them.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    cargo build --release --locked --package frontdesk --bin frontdesk \
    && install -m 0755 target/release/frontdesk /usr/local/bin/frontdesk

FROM debian:bookworm-slim
# The homeserver's certificate is checked against the system's roots. The time zones are in the program.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin frontdesk \
    && install -d -o frontdesk -g frontdesk -m 0700 /data
COPY --from=build /usr/local/bin/frontdesk /usr/local/bin/frontdesk

# Two heaps of the C library instead of sixteen, which each keep what they once needed.
ENV MALLOC_ARENA_MAX=2

USER 10001:10001
# From here the default store, `sled:data`, is the volume, and the config is looked for in /frontdesk.toml.
WORKDIR /
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM

# Alive, not ready: a platform that is down is no reason to start us anew. There is no curl here, and none is needed.
# Asks on the default port: with another in `http.listen`, change it (`docker run --health-cmd`, compose `healthcheck`).
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&3 && read -r _ status _ <&3 && [ \"$status\" = 200 ]"]

ENTRYPOINT ["frontdesk"]
CMD ["run"]

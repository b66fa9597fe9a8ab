# syntax=docker/dockerfile:1
# One image for each service: docker build --target erp-service . (or crm-service, integration-sync)

FROM rust:1.95-slim-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends libpq-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# The caches stay on the building machine and not in a layer, so the programs are copied out.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked -p erp-service -p crm-service -p integration-sync \
    && mkdir /out \
    && cp target/release/erp-service target/release/crm-service target/release/integration-sync /out/

FROM debian:bookworm-slim AS runtime
RUN apt-get update \
    && apt-get install -y --no-install-recommends libpq5 ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin tandem
# A heap for each thread would hold a third more memory, for nothing.
ENV MALLOC_ARENA_MAX=2
USER 10001:10001

FROM runtime AS erp-service
COPY --from=build /out/erp-service /usr/local/bin/
EXPOSE 8081
ENTRYPOINT ["erp-service"]

FROM runtime AS crm-service
COPY --from=build /out/crm-service /usr/local/bin/
EXPOSE 8082
ENTRYPOINT ["crm-service"]

FROM runtime AS integration-sync
COPY --from=build /out/integration-sync /usr/local/bin/
EXPOSE 8083
ENTRYPOINT ["integration-sync"]

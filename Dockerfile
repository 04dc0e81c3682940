# Two images from one build: `app` (the default) has the binary kyc, whose commands are all processes; `simulator` adds a Didit
# for trying things out. Beside static binaries and root certificates they are empty: no shell, no package manager, no root.

# The same Go as in dev/go.mod. Debian, because its certificates are copied below.
FROM golang:1.26.8-bookworm AS build
ENV CGO_ENABLED=0 GOTOOLCHAIN=local GOWORK=off
WORKDIR /src
# Modules change seldom: a layer of their own.
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
# For `kyc --version`: docker build --build-arg VERSION=v1.2.3 --build-arg REVISION=$(git rev-parse HEAD) .
ARG VERSION
ARG REVISION
# The tags leave out what nothing here calls, msgpack in gin and traces of gRPC's own: 6 of 38 MB.
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    go build -trimpath -buildvcs=false -tags=nomsgpack,grpcnotrace -o /out/ \
    -ldflags="-s -w -X didit-temporal/internal/version.version=$VERSION -X didit-temporal/internal/version.revision=$REVISION" \
    ./cmd/kyc ./didit/diditsim/cmd/diditsim

FROM scratch AS base
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/kyc /
# A number, so that Kubernetes can see that it is not root.
USER 65532:65532

FROM base AS simulator
COPY --from=build /out/diditsim /
EXPOSE 8090
ENTRYPOINT ["/diditsim"]

FROM base AS app
EXPOSE 8080 8081 8082
# The command is yours to choose: `worker`, `webhook`, `starter serve` ... Without one, kyc lists them.
ENTRYPOINT ["/kyc"]

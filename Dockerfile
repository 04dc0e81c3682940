# Two images from one build: `app` (the default) has the three programs, `simulator` a Didit for trying things out.
# Both are empty but for static binaries and root certificates: no shell, no package manager, no root.

# The same Go as in dev/go.mod. Debian, because its certificates are copied below.
FROM golang:1.26.8-bookworm AS build
ENV CGO_ENABLED=0 GOTOOLCHAIN=local GOWORK=off
WORKDIR /src
# Modules change seldom: a layer of their own.
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    go build -trimpath -buildvcs=false -ldflags='-s -w' -o /out/ ./worker ./webhook ./starter ./didit/diditsim/cmd/diditsim

FROM scratch AS base
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
# A number, so that Kubernetes can see that it is not root.
USER 65532:65532

FROM base AS simulator
COPY --from=build /out/diditsim /
EXPOSE 8090
CMD ["/diditsim"]

FROM base AS app
COPY --from=build /out/worker /out/webhook /out/starter /
EXPOSE 8080 8081
# No CMD on purpose: say which of the three is meant.

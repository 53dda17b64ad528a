# One image for the stages, the topics job and the tools; compose.yaml gives each its command.
# denoland/deno is built for linux/amd64 and linux/arm64, and so is everything below.
FROM denoland/deno:2.9.6

# The catalog's image writes as 1000:1000; the sink shares that uid, so each may change the other's files.
RUN mkdir -p /app /deno-dir /config /var/lib/pipeline /var/lib/warehouse \
  && chown -R 1000:1000 /app /deno-dir /var/lib/pipeline /var/lib/warehouse

ENV DENO_DIR=/deno-dir
WORKDIR /app
USER 1000:1000

COPY --chown=1000:1000 . .

# Everything is resolved now, from the lock file; at run time nothing is fetched (--cached-only).
RUN deno cache --quiet --frozen \
  generator/main.ts processor/main.ts sink/main.ts tasks/create_topics.ts \
  tasks/query.ts tasks/replay.ts tasks/status.ts tasks/topics.ts tasks/audit.ts tasks/resume.ts \
  tasks/compact.ts tasks/snapshots.ts tasks/evolve.ts tasks/rollback.ts

CMD ["--version"]

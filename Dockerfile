FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY .config .config
COPY prisma prisma
COPY src src
RUN npm run build

# `docker build --target introspect`: prints the schema file of a database. It needs Prisma's engine, and serving does not.
FROM build AS introspect
USER 1000:1000
ENTRYPOINT ["node", "dist/cli/main.js", "introspect"]
CMD ["--output", "-"]

FROM build AS served
RUN rm -r dist/demo dist/introspection && find dist -name '*.d.ts' -delete

FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# `--omit=optional` keeps the Prisma CLI out, which is an optional peer of its client.
RUN npm ci --omit=dev --omit=optional
# Prisma's client comes with two compilers for each database it knows, of which one is used; types and source maps are for
# whoever writes programs.
RUN find node_modules/@prisma/client/runtime -name 'query_compiler_*' ! -name '*_small_bg.postgresql.*' -delete \
  && find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete

FROM node:24-slim
LABEL org.opencontainers.image.title="identity-gateway" \
  org.opencontainers.image.description="Read-only GraphQL gateway over the tables Better Auth keeps in PostgreSQL" \
  org.opencontainers.image.version="0.1.0" \
  org.opencontainers.image.licenses="MIT"
# Balancers go on sending for a while after /ready says 503.
ENV NODE_ENV=production SHUTDOWN_GRACE_MS=5000
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY --from=served /app/dist dist
COPY prisma prisma
COPY package.json ./
# By its number, because orchestrators that refuse root cannot tell who a name is.
USER 1000:1000
EXPOSE 4000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "const { HOST = '', PORT } = process.env; const host = /^(0\\.0\\.0\\.0|::)?$/.test(HOST) ? '127.0.0.1' : HOST; fetch(`http://${host.includes(':') ? `[${host}]` : host}:${PORT || 4000}/health`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# `docker run identity-gateway doctor` is another command of the same program.
ENTRYPOINT ["node", "dist/cli/main.js"]
CMD ["serve"]

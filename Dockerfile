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
USER node
ENTRYPOINT ["node", "dist/cli/main.js", "introspect"]
CMD ["--output", "-"]

FROM build AS served
RUN rm -r dist/demo dist/introspection

FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# `--omit=optional` keeps the Prisma CLI out, which is an optional peer of its client.
RUN npm ci --omit=dev --omit=optional && npm cache clean --force

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY --from=served /app/dist dist
COPY prisma prisma
COPY package.json ./
USER node
EXPOSE 4000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 4000}/health`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/cli/main.js", "serve"]

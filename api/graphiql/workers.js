// Monaco's workers are files beside this one; by default they would come from elsewhere.
const FILES = { json: "json.worker.js", graphql: "graphql.worker.js" };

self.MonacoEnvironment = {
  getWorker(_, label) {
    const file = FILES[label] ?? "editor.worker.js";
    return new Worker(new URL(`/graphiql/files/${file}`, location.href), { type: "module" });
  },
};

// The page: GraphiQL with a field for the token, kept for this tab alone.
import "./workers.js";
import "graphiql/style.css";
import "./page.css";
import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { GraphiQL } from "graphiql";
import { createClient } from "graphql-ws";
import { useMemo, useState } from "react";
import { createRoot } from "react-dom/client";

const KEPT_AS = "steadystate.token";
const FIRST_QUERY = `# Paste a token above, then press Ctrl-Enter.
# Every field is described behind the book on the left.
query RateLimit {
  rateLimit {
    remaining
    limit
  }
}
`;

function fetcherFor(token) {
  const authorization = `Bearer ${token}`;
  const wsClient = createClient({
    url: new URL("/graphql", location.href.replace(/^http/, "ws")).href,
    connectionParams: { authorization },
    lazy: true,
  });
  return createGraphiQLFetcher({ url: "/graphql", headers: token ? { authorization } : {}, wsClient });
}

function Page() {
  const [token, setToken] = useState(sessionStorage.getItem(KEPT_AS) ?? "");
  const [typed, setTyped] = useState(token);
  const fetcher = useMemo(() => fetcherFor(token), [token]);

  function use(event) {
    event.preventDefault();
    const given = typed.trim().replace(/^Bearer\s+/i, "");
    sessionStorage.setItem(KEPT_AS, given);
    setToken(given);
  }

  return (
    <>
      <form className="token" onSubmit={use}>
        <label htmlFor="token">Token</label>
        <input
          id="token"
          type="password"
          autoComplete="off"
          spellCheck={false}
          placeholder="Paste a token, then press Enter"
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
          onBlur={use}
        />
        <button type="submit">Use</button>
        <span role="status">
          {token ? "In use until this tab is closed." : "Without a token every answer is UNAUTHENTICATED."}
        </span>
      </form>
      <main>
        <GraphiQL
          key={token}
          fetcher={fetcher}
          schema={token ? undefined : null}
          defaultQuery={FIRST_QUERY}
          shouldPersistHeaders={false}
        >
          <GraphiQL.Logo>Steadystate</GraphiQL.Logo>
        </GraphiQL>
      </main>
    </>
  );
}

createRoot(document.getElementById("page")).render(<Page />);

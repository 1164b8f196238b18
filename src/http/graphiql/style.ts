/** The bar above GraphiQL, and what makes both fit the window, also a narrow one. */
export const style = `
body { --paper: #fff; --ink: #172036; --link: #1d4ed8; --marked: #e8edf8; }
body { display: flex; flex-direction: column; height: 100vh; height: 100dvh; margin: 0; }
#root { flex: 1; min-height: 0; }
#root .graphiql-container { height: 100%; }
#bar { display: flex; flex-wrap: wrap; gap: 6px 16px; align-items: center; padding: 8px 16px; background: #172036; color: #fff;
  font: 14px/1.4 system-ui, sans-serif; }
#bar h1 { display: flex; gap: 8px; align-items: center; margin: 0; font-size: 16px; }
#bar p { margin: 0; }
#callers { display: flex; gap: 8px; align-items: center; min-width: 0; }
#bar > div:not([popover]) > select, #tools button { font: inherit; color: #fff; background: #2b3856; border: 1px solid #8794b5; border-radius: 4px;
  padding: 3px 8px; min-width: 0; cursor: pointer; }
#tools button:hover { background: #3c4b70; }
#bar :focus-visible { outline: 2px solid #fff; outline-offset: 1px; }
#tools { display: flex; flex-wrap: wrap; gap: 6px; margin-left: auto; }
#who { flex: 1; min-width: 60%; }
#cost { margin-left: auto; font-variant-numeric: tabular-nums; }
#who:empty, #cost:empty { display: none; }
[popover] { box-sizing: border-box; margin: auto; width: min(680px, calc(100vw - 32px)); max-height: 80vh; padding: 16px 20px; border: 1px solid #8794b5;
  border-radius: 8px; background: var(--paper); color: var(--ink); font: 14px/1.5 system-ui, sans-serif; }
[popover] h2 { margin: 0 0 8px; font-size: 16px; }
[popover] ul { margin: 0; padding: 0 0 0 18px; }
[popover] li { margin: 4px 0; }
[popover] a { color: var(--link); text-decoration: underline; }
#samples ul, #history ul { padding: 0; list-style: none; }
#samples button, #history button { width: 100%; padding: 6px 8px; border: 0; border-radius: 4px; background: none; color: inherit;
  font: inherit; text-align: left; cursor: pointer; }
#samples button:hover, #history button:hover { background: var(--marked); }
body.graphiql-dark { --paper: #172036; --ink: #fff; --link: #a9c1ff; --marked: #3c4b70; }
@media (prefers-color-scheme: dark) {
  body:not(.graphiql-light) { --paper: #172036; --ink: #fff; --link: #a9c1ff; --marked: #3c4b70; }
}
@media (max-width: 700px) {
  #bar { padding: 8px; }
  #bar select { max-width: calc(100vw - 90px); }
  #tools { margin-left: 0; }
  #root .graphiql-session, #root #graphiql-session { flex-direction: column; }
  #root .graphiql-editors, #root .graphiql-response { flex: 1 1 50% !important; min-height: 0; overflow: hidden; }
  #root .graphiql-horizontal-drag-bar { display: none; }
}
`

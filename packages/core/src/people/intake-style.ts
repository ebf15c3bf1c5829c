import { Html } from './intake-html.ts'

/** The looks of the intake page: readable at phone width, light and dark, with 4.5:1 and more. */
export const style: Html = new Html(`
:root { --ink: #17202a; --soft: #4d5a68; --line: #c9d1d9; --paper: #f3f5f7; --card: #fff;
  --act: #0b5cad; --on-act: #fff; --goes: #e8f1fb; --fault: #9c1c1c; --fault-bg: #fdeceb; --note-bg: #fff6dc; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e7ecf1; --soft: #a9b5c1; --line: #414c57; --paper: #11161b; --card: #1a2128;
    --act: #86bdf7; --on-act: #0b1a2a; --goes: #1c3147; --fault: #ffb1aa; --fault-bg: #3d1d1c; --note-bg: #3a3218; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 38rem; margin: 0 auto; padding: 1.25rem; }
@media (min-width: 44rem) {
  main { margin: 3rem auto; padding: 2rem 2.5rem; background: var(--card); border: 1px solid var(--line);
    border-radius: .75rem; }
}
h1 { font-size: 1.4rem; line-height: 1.25; margin: .25rem 0 1rem; overflow-wrap: anywhere; }
p, ol, ul { margin: 0 0 1rem; overflow-wrap: anywhere; }
ol, ul { padding-left: 1.4rem; }
li span { color: var(--soft); }
li + li { margin-top: .35rem; }
a { color: var(--act); }
code { font: .9375em ui-monospace, monospace; overflow-wrap: anywhere; }
dl { margin: 0 0 1.25rem; border: 1px solid var(--line); border-width: 1px 0; padding: .5rem 0; }
dl div { padding: .25rem 0; }
dt { color: var(--soft); font-size: .875rem; }
@media (min-width: 34rem) {
  dl div { display: grid; grid-template-columns: 7.5rem 1fr; gap: .75rem; }
  dt { font-size: 1rem; }
}
dd { margin: 0; overflow-wrap: anywhere; }
dd span { color: var(--soft); }
.goes { background: var(--goes); border-left: .25rem solid var(--act); padding: .7rem .9rem; margin-bottom: 1.1rem; }
.code { display: block; margin-top: .35rem; font: 700 2rem/1.2 ui-monospace, monospace; letter-spacing: .08em; }
.fault, .notice { padding: .7rem .9rem; border-left: .25rem solid; }
.fault { color: var(--fault); background: var(--fault-bg); }
.notice { background: var(--note-bg); }
label { display: block; font-weight: 600; margin-bottom: .35rem; }
input:not([type=hidden]) { display: block; width: 100%; min-height: 3rem; padding: .6rem .75rem; font: 1rem ui-monospace, monospace;
  color: inherit; background: var(--card); border: 1px solid var(--soft); border-radius: .4rem; }
input[aria-invalid] { border: 2px solid var(--fault); }
button { width: 100%; min-height: 3rem; margin-top: 1rem; padding: .6rem 1.2rem; font: 600 1rem system-ui, sans-serif;
  color: var(--on-act); background: var(--act); border: 0; border-radius: .4rem; cursor: pointer; }
button.no { color: var(--ink); background: transparent; border: 1px solid var(--soft); }
@media (min-width: 44rem) { button { width: auto; } button + button { margin-left: .75rem; } }
:focus-visible { outline: 3px solid var(--act); outline-offset: 2px; }
.small { color: var(--soft); font-size: .875rem; margin: 1.25rem 0 0; }
`)

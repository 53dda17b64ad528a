/** Completion scripts for `deno task query`, written from the table of flags. */
import { FLAGS, type QueryFlag } from "./flags.ts";

/** Shells that completions are written for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** One of {@linkcode SHELLS}. */
export type Shell = typeof SHELLS[number];

/** The script; it leaves other commands of `deno` to the completion that was there before. */
export function completionScript(shell: Shell): string {
  return { bash, zsh, fish }[shell]();
}

/** Words after `--`, with the negated ones that mean something. */
function words(): string[] {
  return [...FLAGS.map((flag) => `--${flag.name}`), "--no-pager", "--no-color", "--help"];
}

function cases(line: (flag: QueryFlag) => string | undefined): string[] {
  return FLAGS.flatMap((flag) => line(flag) ?? []);
}

function bash(): string {
  const values = cases(({ name, choices, file }) =>
    choices !== undefined
      ? `    --${name}) COMPREPLY=($(compgen -W "${choices.join(" ")}" -- "$word")); return ;;`
      : file
      ? `    --${name}) COMPREPLY=($(compgen -f -- "$word")); return ;;`
      : undefined
  );
  return `# source <(deno task --quiet query --completions bash)
_deno_task_query_before=$(complete -p deno 2>/dev/null | sed -n 's/.*-F \\([^ ]*\\).*/\\1/p')
_deno_task_query() {
  local word="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  if [[ " \${COMP_WORDS[*]:0:COMP_CWORD} " != *" task "*"query "* ]]; then
    [[ -n "$_deno_task_query_before" ]] && "$_deno_task_query_before" "$@"
    return
  fi
  case "$previous" in
${values.join("\n")}
    -o) COMPREPLY=($(compgen -f -- "$word")); return ;;
  esac
  COMPREPLY=($(compgen -W "${words().join(" ")}" -- "$word"))
}
[[ "$_deno_task_query_before" == _deno_task_query ]] && _deno_task_query_before=
complete -o default -F _deno_task_query deno
`;
}

function zsh(): string {
  const values = cases(({ name, value, choices, file, description }) => {
    const text = description.replaceAll(/[[\]:']/g, "");
    if (value === undefined) return `    '--${name}[${text}]'`;
    const what = choices !== undefined ? `(${choices.join(" ")})` : file ? "_files" : "";
    return `    '*--${name}[${text}]:${value.replaceAll(/[:…]/g, "")}:${what}'`;
  });
  return `# source <(deno task --quiet query --completions zsh)
_deno_task_query_before=\${_comps[deno]-}
[[ "$_deno_task_query_before" == _deno_task_query ]] && _deno_task_query_before=
_deno_task_query() {
  local at=\${words[(i)query]}
  if [[ "\${words[2]}" != task || $at -ge $CURRENT ]]; then
    [[ -n "$_deno_task_query_before" ]] && $_deno_task_query_before "$@"
    return
  fi
  words=("\${(@)words[at,-1]}")
  (( CURRENT -= at - 1 ))
  _arguments \\
${values.join(" \\\n")} \\
    '--no-pager[Never use a pager]' '--no-color[No colours]' '--help[Show the help]' \\
    '-o[Write the answer to a file]:FILE:_files'
}
compdef _deno_task_query deno
`;
}

function fish(): string {
  const seen = "__fish_seen_subcommand_from query";
  const lines = FLAGS.map(({ name, value, choices, file, description }) => {
    const text = description.replaceAll("'", "\\'");
    const what = value === undefined
      ? ""
      : choices !== undefined
      ? ` -x -a '${choices.join(" ")}'`
      : file
      ? " -r -F"
      : " -x";
    return `complete -c deno -n '${seen}' -l ${name}${what} -d '${text}'`;
  });
  return [
    "# deno task --quiet query --completions fish | source",
    ...lines,
    `complete -c deno -n '${seen}' -l no-pager -d 'Never use a pager'`,
    `complete -c deno -n '${seen}' -l no-color -d 'No colours'`,
    `complete -c deno -n '${seen}' -l help -d 'Show the help'`,
    `complete -c deno -n '${seen}' -s o -r -F -d 'Write the answer to a file'`,
    "",
  ].join("\n");
}

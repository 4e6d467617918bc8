/// One column on a phone, two of figures on a desk; light, dark and paper.
enum PageStyle {
    static let text = """
        :root { --ground: #ffffff; --text: #1b1f24; --soft: #57606a; --line: #d0d7de; --tint: #f4f6f8;
          --link: #0a57a4; }
        @media (prefers-color-scheme: dark) {
          :root { --ground: #14171b; --text: #e6e6e6; --soft: #a2abb5; --line: #3a424b; --tint: #1d2127;
            --link: #7ab8f5; }
        }
        * { box-sizing: border-box; }
        html { scroll-behavior: smooth; }
        @media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
        body { margin: 0 auto; max-width: 76rem; padding: 1.25rem 1rem 3rem; background: var(--ground);
          color: var(--text); overflow-wrap: break-word;
          font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", Helvetica, Arial, sans-serif; }
        a { color: var(--link); }
        h1 { margin: 0 0 .25rem; font-size: 1.75rem; line-height: 1.2; }
        h2 { margin: 2.75rem 0 .5rem; padding-bottom: .3rem; border-bottom: 1px solid var(--line); font-size: 1.35rem; }
        h3 { margin: 1.5rem 0 .4rem; font-size: 1.05rem; }
        p, figcaption, dd, li { max-width: 48rem; }
        header p { margin: 0 0 .75rem; color: var(--soft); }
        nav { display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; }
        .skip { position: absolute; left: -999rem; }
        .skip:focus { position: static; }
        :focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
        .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .75rem;
          margin: 1.5rem 0 0; padding: 0; list-style: none; }
        .tiles li { padding: .7rem .9rem; border: 1px solid var(--line); border-radius: .5rem; 
          background: var(--tint); }
        .tiles strong { display: block; font-size: 1.5rem; line-height: 1.25; font-variant-numeric: tabular-nums; }
        .tiles span { color: var(--soft); font-size: .875rem; line-height: 1.35; display: block; }
        .scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: .5rem; }
        table { width: 100%; border-collapse: collapse; font-size: .875rem; line-height: 1.4; }
        th, td { padding: .4rem .65rem; text-align: left; vertical-align: top; border-top: 1px solid var(--line);
          white-space: nowrap; }
        thead th { border-top: 0; background: var(--tint); font-weight: 600; vertical-align: bottom; }
        tbody th { font-weight: 500; }
        .prose td { white-space: normal; min-width: 13rem; }
        .prose tbody th { white-space: normal; min-width: 8rem; }
        .number { text-align: right; font-variant-numeric: tabular-nums; }
        .teacher > * { background: var(--tint); font-weight: 600; }
        .sortable tbody th { white-space: normal; min-width: 11rem; }
        .part { white-space: nowrap; }
        th button { all: unset; cursor: pointer; font: inherit; }
        th button:hover { text-decoration: underline; }
        th button:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
        th[aria-sort="ascending"] button::after { content: " \\2191"; }
        th[aria-sort="descending"] button::after { content: " \\2193"; }
        .signature { color: var(--soft); font-size: .875rem; }
        .figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); gap: 1.25rem;
          align-items: start; }
        figure { margin: 0; padding: .25rem 1rem 1rem; border: 1px solid var(--line); border-radius: .5rem;
          min-width: 0; }
        figure h3 { margin-top: .75rem; }
        figure svg { display: block; width: 100%; height: auto; }
        figure svg text { font-family: inherit; }
        .wide { overflow-x: auto; }
        .wide svg { min-width: 34rem; }
        details .figures { margin-top: .75rem; }
        figcaption { margin-top: .75rem; color: var(--soft); font-size: .875rem; }
        .source { color: var(--soft); }
        blockquote { margin: .5rem 0; padding-left: .9rem; border-left: 3px solid var(--line); }
        blockquote p { margin: 0; }
        details { margin: .5rem 0; border: 1px solid var(--line); border-radius: .5rem; padding: .5rem .8rem; }
        summary { cursor: pointer; }
        .sentences { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr));
          gap: 0 1.25rem; }
        dl { margin: .5rem 0; display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .15rem .9rem;
          font-size: .9rem; }
        dt { color: var(--soft); }
        dd { margin: 0; }
        .example { padding: .6rem 0; border-top: 1px solid var(--line); }
        .change { font-weight: 600; font-variant-numeric: tabular-nums; }
        .score { color: var(--soft); font-variant-numeric: tabular-nums; white-space: nowrap; }
        pre { overflow-x: auto; padding: .7rem .9rem; border-radius: .5rem; background: var(--tint); font-size: .8rem;
          line-height: 1.45; }
        code { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
        footer { margin-top: 3rem; color: var(--soft); font-size: .875rem; }
        @media (max-width: 34rem) {
          .facts, .example { grid-template-columns: minmax(0, 1fr); gap: 0; }
          .facts dd, .example dd { margin-bottom: .35rem; }
          figure { padding: .25rem .6rem .75rem; }
        }
        @media print {
          :root { --ground: #fff; --text: #000; --soft: #333; --line: #bbb; --tint: #f4f4f4; --link: #000; }
          nav, .skip, .files { display: none; }
          body { max-width: none; font-size: 10pt; }
          figure, tr, .example { break-inside: avoid; }
          .scroll { overflow: visible; border: 0; }
          pre { overflow: visible; white-space: pre-wrap; overflow-wrap: anywhere; }
          table { font-size: 7.5pt; }
          .sortable tbody th, th, td { white-space: normal; min-width: 0; padding: .2rem .3rem; }
        }
        """
}

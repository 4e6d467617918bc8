/// The page, in Mustache: `{{text}}` is escaped, `{{{text}}}` is not.
enum PageTemplate {
    static let text = """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline';
          script-src 'unsafe-inline'; img-src data:">
        <link rel="icon" href="data:,">
        <title>{{title}}: attention, distilled</title>
        <style>
        {{{style}}}
        </style>
        </head>
        <body>
        <a class="skip" href="#main">Skip to the results</a>
        <header>
        <h1>{{title}}</h1>
        <p>Attention, distilled into shallow networks. {{subtitle}}.</p>
        <nav aria-label="Sections">
        <a href="#scores">Scores</a>
        <a href="#figures">Figures</a>
        {{#hasSentences}}<a href="#sentences">Sentences</a>{{/hasSentences}}
        <a href="#paper">The paper</a>
        <a href="#lineage">Lineage</a>
        <a href="#reproduce">Reproduce</a>
        </nav>
        </header>
        <main id="main">
        <ul class="tiles">
        {{#tiles}}
        <li><strong>{{value}}</strong> <span>{{label}}</span></li>
        {{/tiles}}
        </ul>

        <section id="scores" aria-labelledby="scores-title">
        <h2 id="scores-title">Scores</h2>
        {{#leftOut}}<p>{{.}}</p>{{/leftOut}}
        {{#hasScores}}
        <p>A row for each model and way of searching. A heading sorts the table by its column; the first column leads
          to what the row came from.</p>
        <div class="scroll" role="region" aria-label="Leaderboard" tabindex="0">
        <table class="sortable" id="leaderboard">
        <thead><tr>
        <th scope="col"><button type="button">Model</button></th>
        {{#leaderboard}}{{#columns}}
        <th scope="col"{{#isNumber}} class="number"{{/isNumber}} title="{{explanation}}">
          <button type="button">{{title}}</button></th>
        {{/columns}}{{/leaderboard}}
        </tr></thead>
        <tbody>
        {{#leaderboard}}{{#rows}}
        <tr{{#isTeacher}} class="teacher"{{/isTeacher}}>
          <th scope="row"><a href="#row-{{run}}">{{#parts}}<span class="part">{{.}}</span><wbr>{{/parts}}</a></th>
          {{#cells}}<td{{#isNumber}} class="number"{{/isNumber}} data-sort="{{sort}}">{{text}}</td>{{/cells}}</tr>
        {{/rows}}{{/leaderboard}}
        </tbody>
        </table>
        </div>
        {{#leaderboard}}{{#signatures}}
        <p class="signature">BLEU: <code>{{.}}</code></p>
        {{/signatures}}
        <details><summary>What the columns say</summary><dl class="facts">
        {{#columns}}
        <dt>{{title}}</dt><dd>{{explanation}}</dd>
        {{/columns}}
        </dl></details>{{/leaderboard}}
        {{/hasScores}}
        {{^hasScores}}{{^leftOut}}
        <p>No model of these runs has been scored yet.</p>
        {{/leftOut}}{{/hasScores}}
        </section>

        <section id="figures" aria-labelledby="figures-title">
        <h2 id="figures-title">Figures</h2>
        <div class="figures">
        {{#figures}}{{> figure}}{{/figures}}
        </div>
        {{#hasFurther}}
        <details>
        <summary>Maps of further sentences</summary>
        <div class="figures">
        {{#further}}{{> figure}}{{/further}}
        </div>
        </details>
        {{/hasFurther}}
        {{#hasAbsent}}
        <h3>Not drawn</h3>
        <ul class="absent">
        {{#absent}}
        <li>{{title}}: {{reason}}.</li>
        {{/absent}}
        </ul>
        {{/hasAbsent}}
        </section>

        {{#hasSentences}}
        <section id="sentences" aria-labelledby="sentences-title">
        <h2 id="sentences-title">Sentences that change most</h2>
        <p>Where a replaced model’s translation loses or gains most chrF2 against its teacher’s.</p>
        {{#sentences}}
        <details>
        <summary><strong>{{title}}</strong>: {{summary}}</summary>
        <div class="sentences">
        <div>
        <h3>Lose</h3>
        {{#losing}}{{> example}}{{/losing}}
        </div>
        <div>
        <h3>Gain</h3>
        {{#gaining}}{{> example}}{{/gaining}}
        </div>
        </div>
        </details>
        {{/sentences}}
        </section>
        {{/hasSentences}}

        <section id="paper" aria-labelledby="paper-title">
        <h2 id="paper-title">The paper beside these runs</h2>
        {{#paper}}
        <p>“Rethinking Attention: Exploring Shallow Feed-Forward Neural Networks as an Alternative to Attention Layers
          in Transformers” (Bozic et al., AAAI 2024, arXiv 2311.10642). What differs in the set-up:</p>
        <div class="scroll" role="region" aria-label="Set-up" tabindex="0">
        <table class="prose">
        <thead><tr><th scope="col"></th><th scope="col">The paper</th><th scope="col">These runs</th></tr></thead>
        <tbody>
        {{#setup}}
        <tr><th scope="row">{{what}}</th>
          <td>{{paper}} <span class="source">({{source}})</span></td><td>{{here}}</td></tr>
        {{/setup}}
        </tbody>
        </table>
        </div>
        <p>Each group of its measurements as the <a href="https://github.com/vulus98/Rethinking-attention">published
          code</a> describes them, and what these runs have of it. Its figures are on a scale of their own, model
          tokens with sentence marks, and are not repeated here; paper-compat is that scale.</p>
        <div class="scroll" role="region" aria-label="Experiments" tabindex="0">
        <table class="prose">
        <thead><tr><th scope="col">Experiment</th><th scope="col">The paper</th><th scope="col">These runs</th>
          <th scope="col">What differs</th></tr></thead>
        <tbody>
        {{#experiments}}
        <tr><th scope="row">{{title}}</th><td>{{paper}}</td><td>{{here}}</td><td>{{difference}}</td></tr>
        {{/experiments}}
        </tbody>
        </table>
        </div>
        {{#hasResults}}
        <h3>The paper’s networks in these runs</h3>
        <div class="scroll" role="region" aria-label="The paper’s networks" tabindex="0">
        <table>
        <thead><tr><th scope="col">Experiment</th><th scope="col">Network</th>
          <th scope="col" class="number">BLEU</th><th scope="col" class="number">Difference</th>
          <th scope="col" class="number">p</th><th scope="col" class="number">paper-compat</th></tr></thead>
        <tbody>
        {{#results}}
        <tr><td>{{experiment}}</td><th scope="row">{{network}}</th><td class="number">{{bleu}}</td>
          <td class="number">{{difference}}</td><td class="number">{{p}}</td>
          <td class="number">{{paperCompat}}</td></tr>
        {{/results}}
        </tbody>
        </table>
        </div>
        {{/hasResults}}
        <h3>In its words</h3>
        {{#quotations}}
        <blockquote><p>“{{text}}” <span class="source">({{source}})</span></p></blockquote>
        {{/quotations}}
        {{/paper}}
        </section>

        {{#lineage}}
        <section id="lineage" aria-labelledby="lineage-title">
        <h2 id="lineage-title">Lineage</h2>
        <p>What each row came from, from the text to the score. A number leads to the run’s settings.</p>
        <div class="scroll" role="region" aria-label="Lineage" tabindex="0">
        <table class="prose">
        <thead><tr><th scope="col">Row</th><th scope="col">Runs behind it</th></tr></thead>
        <tbody>
        {{#rows}}
        <tr id="row-{{run}}"><th scope="row">{{model}}</th>
          <td>{{#steps}}<a href="#run-{{run}}">{{run}}</a>&nbsp;{{stage}}{{^last()}}, {{/last()}}{{/steps}}</td></tr>
        {{/rows}}
        </tbody>
        </table>
        </div>
        <h3>Runs and their settings</h3>
        {{#runs}}
        <details id="run-{{run}}">
        <summary>{{run}}: {{title}}</summary>
        <dl class="facts">
        {{#facts}}
        <dt>{{name}}</dt><dd>{{value}}</dd>
        {{/facts}}
        </dl>
        <pre tabindex="0" aria-label="Command"><code>{{command}}</code></pre>
        <pre tabindex="0" aria-label="Configuration"><code>{{configuration}}</code></pre>
        </details>
        {{/runs}}
        </section>

        <section id="reproduce" aria-labelledby="reproduce-title">
        <h2 id="reproduce-title">To make it again</h2>
        <p>The same version, inputs, settings and seed give the same bytes, whatever the number of threads; only speeds
          and times are the machine’s.</p>
        <dl class="facts">
        <dt>programs</dt><dd>{{#commits}}{{.}}{{^last()}}; {{/last()}}{{/commits}}</dd>
        <dt>machine</dt><dd>{{#machines}}{{.}}{{^last()}}; {{/last()}}{{/machines}}</dd>
        </dl>
        <p>The commands behind all rows, in their order:</p>
        <pre tabindex="0" aria-label="Commands"><code>{{commands}}</code></pre>
        </section>
        {{/lineage}}
        </main>
        <footer><p>Made by report, version {{version}}, from the registry and the folders of the runs.</p></footer>
        <script>
        {{{script}}}
        </script>
        </body>
        </html>

        """

    static let figure = """
        <figure id="{{name}}">
        <h3>{{title}}</h3>
        {{#isWide}}<div class="wide" role="region" aria-label="{{title}}" tabindex="0">{{/isWide}}
        {{{svg}}}
        {{#isWide}}</div>{{/isWide}}
        <figcaption>{{caption}} <span class="files">Data and script: <a href="{{name}}.csv">CSV</a>,
          <a href="{{name}}.gp">gnuplot</a>, <a href="{{name}}.svg">SVG</a>.</span></figcaption>
        </figure>

        """

    /// A sentence with its translations.
    static let example = """
        <dl class="example">
        <dt>Sentence {{number}}</dt><dd class="change">{{change}} chrF2</dd>
        <dt>Source</dt><dd>{{source}}</dd>
        <dt>Reference</dt><dd>{{reference}}</dd>
        <dt>Teacher</dt><dd>{{teacher}} <span class="score">{{teacherScore}}</span></dd>
        <dt>Replaced</dt><dd>{{model}} <span class="score">{{modelScore}}</span></dd>
        </dl>

        """
}

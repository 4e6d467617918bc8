/// Sorting of tables; the page is whole without it.
enum PageScript {
    static let text = """
        for (const table of document.querySelectorAll("table.sortable")) {
          const headings = [...table.tHead.rows[0].cells], body = table.tBodies[0];
          const key = (row, column) => row.cells[column].dataset.sort ?? row.cells[column].textContent;
          headings.forEach((heading, column) => heading.querySelector("button").addEventListener("click", () => {
            const isNumber = heading.classList.contains("number");
            const before = heading.getAttribute("aria-sort");
            const direction = before === "descending" || (!before && !isNumber) ? "ascending" : "descending";
            headings.forEach(other => other.removeAttribute("aria-sort"));
            heading.setAttribute("aria-sort", direction);
            const sign = direction === "ascending" ? 1 : -1;
            const rows = [...body.rows].sort((a, b) => {
              const [x, y] = [key(a, column), key(b, column)];
              if (x === "" || y === "") return (x === "") - (y === "");
              return sign * (isNumber ? x - y : x.localeCompare(y));
            });
            body.append(...rows);
          }));
        }
        const open = () => {
          const place = document.getElementById(location.hash.slice(1));
          if (place?.tagName === "DETAILS") place.open = true;
        };
        addEventListener("hashchange", open);
        open();
        """
}

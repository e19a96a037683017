"""A report as a document for a word processor."""

from io import BytesIO

from docx import Document
from docx.document import Document as Made
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.shared import Cm, Pt

from services.desk.report.model import Report, Table

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def as_docx(report: Report) -> bytes:
    """Return the report with headings, so that it can be navigated and edited."""
    document = Document()
    document.core_properties.title = f"{report.title}, {report.subtitle}"
    document.core_properties.language = "en-GB"
    document.styles["Normal"].font.size = Pt(11)
    for section in document.sections:
        section.left_margin = section.right_margin = Cm(2.2)
    document.add_heading(report.title, 0)
    document.add_paragraph(report.subtitle)
    for part in report.sections:
        document.add_heading(part.title, 1)
        for sentence in part.sentences:
            document.add_paragraph(sentence)
        if part.table is not None:
            _add(document, part.table)
    out = BytesIO()
    document.save(out)
    return out.getvalue()


def _add(document: Made, table: Table) -> None:
    document.add_paragraph(table.caption).paragraph_format.keep_with_next = True
    made = document.add_table(rows=1, cols=len(table.headings), style="Light Grid Accent 1")
    for cell, heading in zip(made.rows[0].cells, table.headings, strict=True):
        cell.text = heading
    for row in table.rows:
        for number, (cell, value) in enumerate(zip(made.add_row().cells, row, strict=True)):
            cell.text = value
            if number:
                cell.paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.RIGHT

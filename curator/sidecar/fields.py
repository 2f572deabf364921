"""XMP names that Curator reads and writes: namespaces, prefixes, properties and their values.

A property is named as expat names it: namespace, space, local name.
"""

from __future__ import annotations

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XMP = "http://ns.adobe.com/xap/1.0/"
XMP_DM = "http://ns.adobe.com/xmp/1.0/DynamicMedia/"
DC = "http://purl.org/dc/elements/1.1/"
LIGHTROOM = "http://ns.adobe.com/lightroom/1.0/"
DIGIKAM = "http://www.digikam.org/ns/1.0/"
DARKTABLE = "http://darktable.sf.net/"
MECHANIC = "http://ns.camerabits.com/photomechanic/1.0/"
PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
CURATOR = "urn:curator:xmp:1.0/"

PREFIXES = {
    XMP: "xmp",
    XMP_DM: "xmpDM",
    DC: "dc",
    LIGHTROOM: "lr",
    DIGIKAM: "digiKam",
    DARKTABLE: "darktable",
    MECHANIC: "photomechanic",
    PHOTOSHOP: "photoshop",
    CURATOR: "curator",
}
"""Namespace -> the prefix every editor uses for it."""

RATING = f"{XMP} Rating"
LABEL = f"{XMP} Label"
METADATA_DATE = f"{XMP} MetadataDate"
PICK = f"{XMP_DM} pick"
GOOD = f"{XMP_DM} good"
SUBJECT = f"{DC} subject"
CREATOR = f"{DC} creator"
RIGHTS = f"{DC} rights"
# The "Job Identifier" of IPTC, Lightroom, Bridge and Photo Mechanic. Iptc4xmpExt:Event, the other
# candidate, describes what the picture shows, and is published as that.
JOB = f"{PHOTOSHOP} TransmissionReference"
HIERARCHICAL = f"{LIGHTROOM} hierarchicalSubject"
TAGS_LIST = f"{DIGIKAM} TagsList"
PICK_LABEL = f"{DIGIKAM} PickLabel"
COLOR_LABEL = f"{DIGIKAM} ColorLabel"
COLORLABELS = f"{DARKTABLE} colorlabels"
XMP_VERSION = f"{DARKTABLE} xmp_version"
TAGGED = f"{MECHANIC} Tagged"
# Curator's own: the stars of a reject whose xmp:Rating is -1; flag and label at the time we wrote
# the file, which shows which of two contradicting fields was changed since; projects.
OUR_RATING = f"{CURATOR} rating"
OUR_FLAG = f"{CURATOR} flag"
OUR_LABEL = f"{CURATOR} label"
OUR_PROJECTS = f"{CURATOR} projects"

WANTED = frozenset(
    {
        RATING, LABEL, METADATA_DATE, PICK, GOOD, SUBJECT, HIERARCHICAL, TAGS_LIST, PICK_LABEL,
        COLOR_LABEL, COLORLABELS, XMP_VERSION, TAGGED, OUR_RATING, OUR_FLAG, OUR_LABEL,
        OUR_PROJECTS,
    }
)  # fmt: skip

LABELS = ("red", "yellow", "green", "blue", "purple")  # in darktable's numbers, from 0
DIGIKAM_LABELS = {"none": "0", "red": "1", "yellow": "3", "green": "4", "blue": "5", "purple": "6"}
PICK_LABELS = {"none": "0", "reject": "1", "pick": "3"}  # 2 is pending
PICKS = {"none": "0", "reject": "-1", "pick": "1"}

# The values of xmp:Label written by Lightroom in other languages, and by Bridge.
_WRITTEN = {
    "red": "red select rot rouge rojo rosso vermelho rood röd rød punainen czerwony красный "
    "紅 红色 紅色 レッド 빨강 빨간색",
    "yellow": "yellow second gelb jaune amarillo giallo amarelo geel gul keltainen żółty жёлтый "
    "желтый 黄色 黃色 イエロー 노랑 노란색",
    "green": "green approved grün vert verde groen grön grønn grøn vihreä zielony зелёный зеленый "
    "绿色 綠色 グリーン 녹색 초록색",
    "blue": "blue review blau bleu azul blu blauw blå sininen niebieski синий 蓝色 藍色 ブルー "
    "파랑 파란색",
    "purple": "purple lila violett violet pourpre morado púrpura viola roxo paars lilla violetti "
    "fioletowy фиолетовый пурпурный 紫色 パープル 보라색 자주색",
}
LABEL_WORDS = {word: label for label, words in _WRITTEN.items() for word in words.split()} | {
    "to do": "purple"
}
"""xmp:Label in lower case -> our label."""
